"""Fields for what a JSON schema describes."""

from nango_jupyter.widgets.field import MISSING, Field, FieldError
from nango_jupyter.widgets.fields.schema import schema_fields

__all__ = ["MISSING", "Field", "FieldError", "schema_fields"]
