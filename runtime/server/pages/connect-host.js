// The page around an app's frame: answers what the frame asks for by postMessage.
// A message counts only if it comes from this frame's window and from the app's own origin.
"use strict";

const frame = document.getElementById("app");
const flags = document.getElementById("flags");
const { session, origin, account, zone } = frame.dataset;
const context = JSON.parse(frame.dataset.context);
const MAX_HEIGHT = 20000;

const post = async (path, body) => {
  const answer = await fetch(path, {
    method: "POST",
    credentials: "omit",
    headers: { "content-type": "application/json", "x-firebrick-page": session },
    body: JSON.stringify(body),
  });
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.error);
  return value;
};

const text = (value) => (typeof value === "string" ? value : "");

const element = (name, content, kind) => {
  const made = document.createElement(name);
  made.textContent = content;
  if (kind) made.className = kind;
  return made;
};

const KINDS = new Set(["info", "success", "warning", "error"]);
const shown = new Map();

const calls = {
  request: (options) => post("/_firebrick/connect/request", options),
  token: async () => (await post("/_firebrick/connect/token", {})).token,
  context: () => context,
  user: () => ({ atlassianAccountId: account }),
  zone: () => zone,
  location: () => window.location.href,
  resize: ({ width, height }) => {
    const size = (value, limit) =>
      typeof value === "number" && value >= 0 ? `${Math.min(value, limit)}px` : text(value);
    if (width !== undefined && width !== null) frame.style.width = size(width, MAX_HEIGHT);
    if (height !== undefined && height !== null) frame.style.height = size(height, MAX_HEIGHT);
  },
  emit: ({ name, data }) => {
    frame.contentWindow.postMessage({ firebrick: 1, event: text(name), data }, origin);
  },
  flag: ({ id, title, body, type }) => {
    const flag = element("div", "", `flag ${KINDS.has(type) ? type : "info"}`);
    const close = element("button", "Dismiss");
    close.addEventListener("click", () => calls.unflag({ id }));
    flag.append(element("strong", text(title)), element("span", text(body)), close);
    shown.set(id, flag);
    flags.append(flag);
  },
  unflag: ({ id }) => {
    shown.get(id)?.remove();
    shown.delete(id);
  },
};

window.addEventListener("message", async (event) => {
  if (event.source !== frame.contentWindow || event.origin !== origin) return;
  const { data } = event;
  if (data?.firebrick !== 1 || !Object.hasOwn(calls, data.call)) return;
  const answer = { firebrick: 1, id: data.id };
  try {
    answer.value = await calls[data.call](data.options ?? {});
  } catch (error) {
    answer.error = String(error.message);
  }
  frame.contentWindow.postMessage(answer, origin);
});
