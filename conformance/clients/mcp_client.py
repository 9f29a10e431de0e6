"""The server ``mcp-atlassian``, started as documented and asked by the protocol's client."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

place = json.loads(sys.argv[1])
server = StdioServerParameters(
    command=str(Path(sys.executable).with_name("mcp-atlassian")),
    args=["--transport", "stdio"],
    env={**os.environ, **place["env"]},
)


async def ask(session: ClientSession, tool: str, **arguments: object) -> Any:
    """Use a tool; return its JSON, or what it complains of."""
    result = await session.call_tool(tool, arguments)
    text = "".join(getattr(part, "text", "") for part in result.content)
    if result.isError:
        return {"error": text}
    try:
        return json.loads(text)
    except ValueError:
        return text


async def main() -> dict[str, Any]:
    """Create an issue, comment on it, move it, read it and find it."""
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        created = await ask(
            session,
            "jira_create_issue",
            project_key="TEAM",
            summary="By mcp-atlassian",
            issue_type="Task",
            description="plain",
        )
        key = created["issue"]["key"]
        comment = await ask(session, "jira_add_comment", issue_key=key, body="hi")
        offered = await ask(session, "jira_get_transitions", issue_key=key)
        start = next(str(one["id"]) for one in offered if one["name"] == "Start")
        await ask(session, "jira_transition_issue", issue_key=key, transition_id=start)
        issue = await ask(session, "jira_get_issue", issue_key=key)
        found = await ask(session, "jira_search", jql=f"key = {key}", limit=5)
        hidden = await ask(session, "jira_get_issue", issue_key="VAULT-7")
        return {
            "created": created,
            "comment": comment,
            "issue": issue,
            "found": found,
            "hidden": hidden,
        }


sys.stdout.write(json.dumps(asyncio.run(main())))
