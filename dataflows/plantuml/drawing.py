"""The job that asks the named PlantUML server for a picture."""

from core.jobs.context import JobContext, JsonDict
from dataflows.plantuml.server import draw
from dataflows.render import DrawingStore

KIND = "dataflows.plantuml"


def run(ctx: JobContext) -> JsonDict:
    """Draw the kept text that the payload names; the same text is asked for once."""
    key = str(ctx.payload["drawing"])
    store = DrawingStore(ctx.settings.data_dir)
    ctx.progress(0, 1, "Asking the PlantUML server")
    drawn = draw(store, store.text(key), ctx.settings)
    ctx.progress(1, 1, "Drawn")
    return {"drawing": key, "renderer": drawn.renderer}
