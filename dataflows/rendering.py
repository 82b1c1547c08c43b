"""The job that draws a picture too large to be drawn while a reader waits."""

from core.jobs.context import JobContext, JsonDict
from dataflows.render import DrawingStore

KIND = "dataflows.render"


def run(ctx: JobContext) -> JsonDict:
    """Draw the kept text that the payload names.

    Drawing the same text twice gives the same picture, so an interrupted attempt leaves nothing
    to undo.
    """
    key = str(ctx.payload["drawing"])
    store = DrawingStore(ctx.settings.data_dir)
    ctx.progress(0, 1, "Laying out the picture")
    store.draw(store.text(key), patient=True)
    ctx.progress(1, 1, "Drawn")
    return {"drawing": key}
