export interface Issue {
  key: string;
  fields: {
    summary: string;
    duedate: string | null;
    assignee: { displayName: string } | null;
    status: { name: string; statusCategory: { key: string } };
  };
}

export interface Health {
  key: string;
  score: number;
  remarks: string[];
}

/** Score an issue from 0 (sick) to 100 (well). */
export function assess(issue: Issue, comments: number, today: Date): Health {
  const remarks: string[] = [];
  const done = issue.fields.status.statusCategory.key === "done";
  if (!issue.fields.assignee) remarks.push("Nobody is responsible.");
  if (comments === 0) remarks.push("Nobody has said a word.");
  const due = issue.fields.duedate;
  if (!done && due && new Date(due) < today) remarks.push(`It was due on ${due}.`);
  return { key: issue.key, score: 100 - 30 * remarks.length, remarks };
}
