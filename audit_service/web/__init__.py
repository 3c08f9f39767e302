"""HTTP only: officer, borrower, regulator and api blueprints; views translate requests into use-cases and back."""
