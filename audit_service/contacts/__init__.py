"""The contact log: borrowers, their accounts and contact persons, and every try to reach one of them."""
