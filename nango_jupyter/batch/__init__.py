"""Many triggers, one for each row: a bounded number at once, and one result for each row."""

from nango_jupyter.batch.items import BatchItem, BatchItems
from nango_jupyter.batch.results import BatchResult
from nango_jupyter.batch.running import DEFAULT_CONCURRENCY, Batch, retry

__all__ = ["DEFAULT_CONCURRENCY", "Batch", "BatchItem", "BatchItems", "BatchResult", "retry"]
