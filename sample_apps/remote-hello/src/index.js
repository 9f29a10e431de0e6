import { invokeRemote } from "@forge/api";

// The server answers with all it can see of the call; no token of it gets here.
export const ask = async () => {
  const response = await invokeRemote("backend", {
    path: "/from-the-sandbox",
    method: "POST",
    headers: { authorization: "Bearer mine" },
    body: JSON.stringify({ hello: "server" }),
  });
  return { status: response.status, ...(await response.json()) };
};
