"""What borrowers file, and how each allegation is checked against the records."""
