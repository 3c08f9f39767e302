"""Detection runs over stored contacts, the findings they made, and what reviewers say of them."""
