"""Who may do what. Decided here, as one table; docs/api.md shows the same one."""

from __future__ import annotations

from enum import StrEnum

from chargenet.model.words import Role


class Permission(StrEnum):
    """What a route needs of a key."""

    READ = "read"
    """Charge points, connectors, sites, transactions, telemetry, live events, health. ID tokens are shown hashed."""
    READ_EVIDENCE = "read-evidence"
    """Frames as they came, diagnostics files, ID tokens in full: personal data and vendor internals."""
    OPERATE = "operate"
    """Calls to charge points, diagnostics requests, registrations, passwords, sites."""
    READ_TOKENS = "read-tokens"
    """The token table."""
    MANAGE_TOKENS = "manage-tokens"
    """Adding, blocking, importing tokens."""
    MANAGE_CASES = "manage-cases"
    """Acknowledging and resolving cases, silences, maintenance windows, test alerts."""
    ROLL_OUT = "roll-out"
    """Firmware files and rollouts: adding, planning, starting, pausing, aborting."""
    APPROVE = "approve"
    """Saying yes to a firmware file."""
    READ_BILLING = "read-billing"
    """Tariffs, CDRs, customers, statements: personal data and money."""
    MANAGE_BILLING = "manage-billing"
    """Tariffs, customers, billing runs, credits."""
    ADMINISTER = "administer"
    """API keys and the audit log."""


TABLE: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: frozenset({Permission.READ}),
    Role.OPERATOR: frozenset(
        {
            Permission.READ,
            Permission.READ_EVIDENCE,
            Permission.OPERATE,
            Permission.READ_TOKENS,
            Permission.MANAGE_TOKENS,
            Permission.MANAGE_CASES,
            Permission.ROLL_OUT,
        }
    ),
    Role.BILLING: frozenset(
        {
            Permission.READ,
            Permission.READ_EVIDENCE,
            Permission.READ_TOKENS,
            Permission.MANAGE_TOKENS,
            Permission.READ_BILLING,
            Permission.MANAGE_BILLING,
        }
    ),
    Role.ADMIN: frozenset(Permission),
}


def allows(role: str, permission: Permission) -> bool:
    """False for a role that is not known: fail closed."""
    return role in TABLE and permission in TABLE[Role(role)]


def weakest(permission: Permission) -> Role:
    """The first role, weakest first, that has it: what a refusal names."""
    return next(role for role in Role if permission in TABLE[role])
