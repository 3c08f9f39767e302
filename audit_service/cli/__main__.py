"""Allow ``python -m audit_service.cli``."""

from audit_service.cli import main

main()
