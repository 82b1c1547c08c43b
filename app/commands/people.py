"""Commands about people: who deputises for whom."""

from typing import Annotated

import typer

from app.commands.console import AsJson, installation, say

people = typer.Typer(help="People and their roles.", no_args_is_help=True)


@people.callback()
def _people() -> None:
    """Keep `deputies` a command of this group, although it is the only one."""


@people.command("deputies")
def list_deputies(
    project_key: Annotated[str, typer.Argument(metavar="PROJECT")], as_json: AsJson = False
) -> None:
    """List the deputies of a project: current, coming and past."""
    from core.people.deputies.service import deputies_of
    from core.records.service import find_project

    with installation() as opened, opened.database.reading() as session:
        project = find_project(session, project_key)
        lines = deputies_of(session, project)
    told = [
        {
            "standing": one.standing,
            "role": one.role,
            "for": one.principal_uid,
            "deputy": one.deputy_uid,
            "first_day": str(one.term.first),
            "last_day": str(one.term.last),
            "reason": one.reason,
            "named_by": one.named_by,
            "without_effect": one.idle or None,
            "ended_at": one.ended_at.isoformat() if one.ended_at else None,
            "ended_by": one.ended_by or None,
            "ended_why": one.ended_why or None,
        }
        for one in lines
    ]
    text = [
        f"{one.standing:<8} {one.term}  {one.deputy} ({one.deputy_uid}) holds "
        f"{one.role.replace('_', ' ')} for {one.principal} ({one.principal_uid})"
        f"{': without effect, ' + one.idle if one.idle else ''}"
        f"{', ended by ' + one.ended_by if one.ended_at else ''}"
        for one in lines
    ]
    say(told, as_json, "\n".join(text) or f"Nobody is or was a deputy in {project_key}.")
