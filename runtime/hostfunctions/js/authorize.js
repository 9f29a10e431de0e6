// `authorize()`: asks Jira what the invoking user may do, so that code running as the app can
// check.
//
// Follows: @forge/api 8.3.0 as measured: one POST to the permission check as the user; a list of
// ids counts as granted when the answer holds the same ids, compared as sorted text.
// Differs: `onConfluenceContent` is not emulated.
import { checked, missing } from "firebrick:errors";

const issueChecks = {
  canAssign: "ASSIGN_ISSUES",
  canCreate: "CREATE_ISSUES",
  canEdit: "EDIT_ISSUES",
  canMove: "MOVE_ISSUES",
  canDelete: "DELETE_ISSUES",
  canAddComments: "ADD_COMMENTS",
  canEditAllComments: "EDIT_ALL_COMMENTS",
  canDeleteAllComments: "DELETE_ALL_COMMENTS",
  canCreateAttachments: "CREATE_ATTACHMENTS",
  canDeleteAllAttachments: "DELETE_ALL_ATTACHMENTS",
};
const projectChecks = {
  canAssignIssues: "ASSIGN_ISSUES",
  canCreateIssues: "CREATE_ISSUES",
  canEditIssues: "EDIT_ISSUES",
  canMoveIssues: "MOVE_ISSUES",
  canDeleteIssues: "DELETE_ISSUES",
  canAddComments: "ADD_COMMENTS",
  canEditAllComments: "EDIT_ALL_COMMENTS",
  canDeleteAllComments: "DELETE_ALL_COMMENTS",
  canCreateAttachments: "CREATE_ATTACHMENTS",
  canDeleteAllAttachments: "DELETE_ALL_ATTACHMENTS",
};

const sorted = (ids) => ids.map(String).sort().join();

export function authorize() {
  const accountId = globalThis.__forge_runtime__.aaid;
  if (!accountId) {
    throw new Error(
      "Couldn\u2019t find the accountId of the invoking user. " +
        "This API can only be used inside user-invoked modules.",
    );
  }

  async function check(projectPermissions) {
    const response = checked(
      await globalThis.__forge_fetch__(
        { type: "fpp", provider: "user", remote: "jira" },
        "/rest/api/3/permissions/check",
        {
          method: "post",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ accountId, projectPermissions }),
        },
      ),
    );
    return (await response.json()).projectPermissions;
  }

  const checksOf = (names, kind) => (ids) => {
    const wanted = Array.isArray(ids) ? ids : [ids];
    const one = (permission) => async () => {
      const found = (await check([{ permissions: [permission], [kind]: wanted }])).find(
        (granted) => granted.permission === permission,
      );
      return (
        found !== undefined && found[kind] !== undefined && sorted(found[kind]) === sorted(wanted)
      );
    };
    return Object.fromEntries(
      Object.entries(names).map(([name, permission]) => [name, one(permission)]),
    );
  };

  const unknown = missing("permission checks on Confluence content");
  return {
    onConfluenceContent: () => ({ canRead: unknown, canUpdate: unknown, canDelete: unknown }),
    onJira: async (permissions) => (await check(permissions)) ?? [],
    onJiraProject: checksOf(projectChecks, "projects"),
    onJiraIssue: checksOf(issueChecks, "issues"),
  };
}
