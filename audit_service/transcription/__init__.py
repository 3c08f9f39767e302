"""From sealed recordings to segments: engines behind one protocol, weights, normalisation, immutable transcripts."""
