"""The ways in: each file is probed, recognised if it came before, sealed, recorded and handed to the workers."""
