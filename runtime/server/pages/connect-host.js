// The page around an app's frames: answers what they ask for by postMessage.
// A message counts only if it comes from the window of one of these frames and from the app's own
// origin. Each frame has a session of its own; a dialog is a frame above the one that opened it.
"use strict";

const page = document.getElementById("app");
const flags = document.getElementById("flags");
const { origin, account, zone } = page.dataset;
const context = JSON.parse(page.dataset.context);
const MAX_HEIGHT = 20000;
const DIALOG_EVENT = "dialog.close";

const open = [{ frame: page, session: page.dataset.session, dialog: null, given: undefined }];

const post = async (path, body, { session }) => {
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
const size = (value, limit) =>
  typeof value === "number" && value >= 0 ? `${Math.min(value, limit)}px` : text(value);
const tell = ({ frame }, message) => {
  frame.contentWindow?.postMessage({ firebrick: 1, ...message }, origin);
};

const element = (name, content, kind) => {
  const made = document.createElement(name);
  made.textContent = content;
  if (kind) made.className = kind;
  return made;
};

const KINDS = new Set(["info", "success", "warning", "error"]);
const shown = new Map();

// Closes a dialog and those above it; the frame below each is told what it was closed with.
const closeDialog = (one, data) => {
  const place = open.indexOf(one);
  if (place < 1) return;
  for (const closed of open.splice(place)) closed.dialog.remove();
  tell(open[place - 1], { event: DIALOG_EVENT, data });
};

const showDialog = async (options, from) => {
  const { url, session, name } = await post(
    "/_firebrick/connect/dialog",
    { key: text(options.key) },
    from,
  );
  const dialog = element("dialog", "", "app-dialog");
  const head = element("div", "", "row");
  const title = element("h2", text(options.header) || name);
  const close = element("button", "Close");
  const frame = document.createElement("iframe");
  frame.title = title.textContent;
  frame.setAttribute("sandbox", page.getAttribute("sandbox"));
  frame.referrerPolicy = "no-referrer";
  const one = { frame, session, dialog, given: options.customData };
  dialog.setAttribute("aria-label", title.textContent);
  close.addEventListener("click", () => closeDialog(one));
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    closeDialog(one);
  });
  frame.style.width = size(options.width, MAX_HEIGHT) || "min(40rem, 80vw)";
  frame.style.height = size(options.height, MAX_HEIGHT) || "50vh";
  head.append(title, close);
  dialog.append(head, frame);
  open.push(one);
  document.body.append(dialog);
  frame.src = url;
  dialog.showModal();
};

const calls = {
  request: (options, from) => post("/_firebrick/connect/request", options, from),
  token: async (_, from) => (await post("/_firebrick/connect/token", {}, from)).token,
  context: () => context,
  user: () => ({ atlassianAccountId: account }),
  zone: () => zone,
  location: () => window.location.href,
  resize: ({ width, height }, { frame }) => {
    if (width !== undefined && width !== null) frame.style.width = size(width, MAX_HEIGHT);
    if (height !== undefined && height !== null) frame.style.height = size(height, MAX_HEIGHT);
  },
  emit: ({ name, data }) => {
    for (const one of open) tell(one, { event: text(name), data });
  },
  dialog: (options, from) => {
    if (open.at(-1) !== from) throw new Error("Another dialog is open above this page.");
    return showDialog(options, from);
  },
  closeDialog: ({ data }, from) => {
    closeDialog(from, data);
  },
  dialogData: (_, { given }) => given,
  flag: ({ id, title, body, type }, from) => {
    const flag = element("div", "", `flag ${KINDS.has(type) ? type : "info"}`);
    const close = element("button", "Dismiss");
    close.addEventListener("click", () => calls.unflag({ id }, from));
    flag.append(element("strong", text(title)), element("span", text(body)), close);
    shown.set(`${from.session} ${id}`, flag);
    flags.append(flag);
  },
  unflag: ({ id }, { session }) => {
    shown.get(`${session} ${id}`)?.remove();
    shown.delete(`${session} ${id}`);
  },
};

window.addEventListener("message", async (event) => {
  const from = open.find(({ frame }) => frame.contentWindow === event.source);
  if (from === undefined || event.origin !== origin) return;
  const { data } = event;
  if (data?.firebrick !== 1 || !Object.hasOwn(calls, data.call)) return;
  const answer = { id: data.id };
  try {
    answer.value = await calls[data.call](data.options ?? {}, from);
  } catch (error) {
    answer.error = String(error.message);
  }
  tell(from, answer);
});
