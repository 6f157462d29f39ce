"""The tables of the store, and its statements."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TextClause,
    UniqueConstraint,
    and_,
    bindparam,
    delete,
    select,
    text,
    update,
)

__all__ = [
    "ADD",
    "ALL_CREDENTIALS",
    "CONNECTIONS",
    "ENCRYPTED",
    "FIND",
    "IS_PAIR",
    "OF_INTEGRATION",
    "OF_USER",
    "RECRYPT",
    "REFRESHES",
    "RELEASE",
    "USERS",
    "claim",
]

_METADATA = MetaData()

CONNECTIONS = Table(
    "connections",
    _METADATA,
    Column("id", Integer, primary_key=True),  # also the order of creation
    Column("uuid", String(36), nullable=False, unique=True),
    Column("integration", Text, nullable=False),
    # As JSON: user 1 and user "1" are two users. The original servers keep text, and give the
    # number 1 back as "1.0", under which nobody knows that user; here it comes back as it was.
    Column("user_id", Text, nullable=False),
    Column("credentials", Text, nullable=False),  # JSON, or encrypted: see Cipher
    Column("additional_config", Text),
    Column("date_created", DateTime, nullable=False),
    Column("last_modified", DateTime, nullable=False),
    # The database decides which of two servers registered first.
    UniqueConstraint("integration", "user_id"),
)

# Who refreshes a connection's credentials just now.
REFRESHES = Table(
    "refreshes",
    _METADATA,
    Column("uuid", String(36), primary_key=True),
    Column("owner", String(36), nullable=False),
    Column("until", Double, nullable=False),  # in seconds since 1970
)

_IS_USER = CONNECTIONS.c.user_id == bindparam("of_user")
_IS_INTEGRATION = CONNECTIONS.c.integration == bindparam("of_integration")
IS_PAIR = and_(_IS_INTEGRATION, _IS_USER)
FIND = select(CONNECTIONS).where(IS_PAIR)

# It changes one row, or none if the user has a connection. An error would say so, too, but leave
# what was to be added in memory: drivers keep errors in cycles, which Python collects much later.
ADD = text(
    """
    INSERT INTO connections
    (uuid, integration, user_id, credentials, additional_config, date_created, last_modified)
    VALUES
    (:uuid, :integration, :user_id, :credentials, :additional_config, :now, :now)
    ON CONFLICT (integration, user_id) DO NOTHING
    """
).bindparams(bindparam("now", type_=DateTime))

# Nobody is shown credentials, so they are not read, and needn't be decrypted.
_LISTED = select(*(column for column in CONNECTIONS.c if column.name != "credentials"))
OF_USER = _LISTED.where(_IS_USER).order_by(CONNECTIONS.c.id)
OF_INTEGRATION = _LISTED.where(_IS_INTEGRATION).order_by(CONNECTIONS.c.id)
USERS = (
    select(CONNECTIONS.c.user_id)
    .where(_IS_INTEGRATION)
    .order_by(CONNECTIONS.c.id.desc())
    .limit(bindparam("most"))
)

ALL_CREDENTIALS = (
    select(CONNECTIONS.c.id, CONNECTIONS.c.credentials)
    .where(CONNECTIONS.c.id > bindparam("after"))
    .order_by(CONNECTIONS.c.id)
    .limit(500)
)
"""A part of the rows, to be asked for again with the last one's id."""

ENCRYPTED = ALL_CREDENTIALS.where(CONNECTIONS.c.credentials.not_like("{%"))

# Not if a server wrote new credentials meanwhile: they must not be lost.
RECRYPT = (
    update(CONNECTIONS)
    .where(CONNECTIONS.c.id == bindparam("of_id"), CONNECTIONS.c.credentials == bindparam("old"))
    .values(credentials=bindparam("new"))
)

RELEASE = delete(REFRESHES).where(
    REFRESHES.c.uuid == bindparam("of_uuid"), REFRESHES.c.owner == bindparam("of_owner")
)

# The database's clock, for everybody: the clocks of two machines may be further apart than a
# claim is long.
_NOW = {
    "sqlite": "(julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS DOUBLE PRECISION)",
}
_CLAIM = """
    INSERT INTO refreshes (uuid, owner, until)
    VALUES (:uuid, :owner, NOW + CAST(:seconds AS DOUBLE PRECISION))
    ON CONFLICT (uuid) DO UPDATE SET owner = excluded.owner, until = excluded.until
    WHERE refreshes.until <= NOW
"""


def claim(dialect: str) -> TextClause:
    """Return the statement that claims a refresh: it changes one row, or none if another did.

    Its parameters are uuid, owner and seconds.
    """
    return text(_CLAIM.replace("NOW", _NOW[dialect]))
