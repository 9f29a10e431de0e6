// What an app's page loads to talk to the site around it: a small `AP` of Firebrick's own.
// The origin of the site comes from `xdm_e`, which the token of the page's URL covers; messages
// from anyone else are not looked at.
(() => {
  "use strict";

  const parameters = new URLSearchParams(window.location.search);
  const site = parameters.get("xdm_e");
  const script = document.currentScript;
  const options = new Map(
    (script?.dataset.options ?? "").split(";").map((pair) => pair.split(":").map((s) => s.trim())),
  );
  const waiting = new Map();
  const listeners = new Map();
  let last = 0;

  const call = (name, given = {}) =>
    new Promise((resolve, reject) => {
      last += 1;
      waiting.set(last, { resolve, reject });
      window.parent.postMessage({ firebrick: 1, id: last, call: name, options: given }, site);
    });

  // Many calls of the platform's API answer both by a callback and by a promise.
  const both = (promise, callback) => {
    if (typeof callback === "function") promise.then((value) => callback(value));
    return promise;
  };

  window.addEventListener("message", (event) => {
    if (event.source !== window.parent || event.origin !== site) return;
    const { data } = event;
    if (data?.firebrick !== 1) return;
    if (typeof data.event === "string") {
      for (const listener of [...(listeners.get(data.event) ?? [])]) listener(data.data);
      return;
    }
    const promise = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) promise?.resolve(data.value);
    else promise?.reject(new Error(data.error));
  });

  const request = (first, second) => {
    const given = typeof first === "string" ? { ...second, url: first } : { ...first };
    const { url, type, contentType, headers, success, error } = given;
    let { data } = given;
    let path = url;
    if (data !== undefined && typeof data !== "string") {
      if ((type ?? "GET").toUpperCase() === "GET") {
        path += (path.includes("?") ? "&" : "?") + new URLSearchParams(data);
        data = undefined;
      } else {
        data = JSON.stringify(data);
      }
    }
    return call("request", { url: path, type, data, contentType, headers }).then(
      ({ status, contentType: kind, body }) => {
        const xhr = {
          status,
          responseText: body,
          getResponseHeader: (name) => (name.toLowerCase() === "content-type" ? kind : null),
        };
        if (status >= 200 && status < 300) {
          success?.(body, "success", xhr);
          return { body, xhr };
        }
        error?.(xhr, "error", String(status));
        if (error) return undefined;
        throw Object.assign(new Error(`The site answered ${status}.`), { xhr, err: String(status) });
      },
    );
  };

  const on = (name, listener) => {
    listeners.set(name, [...(listeners.get(name) ?? []), listener]);
  };
  const off = (name, listener) => {
    listeners.set(
      name,
      (listeners.get(name) ?? []).filter((one) => one !== listener),
    );
  };
  const once = (name, listener) => {
    const wrapped = (data) => {
      off(name, wrapped);
      listener(data);
    };
    on(name, wrapped);
  };

  const flag = (given = {}) => {
    last += 1;
    const id = last;
    call("flag", { id, title: given.title, body: given.body, type: given.type });
    return { close: () => call("unflag", { id }) };
  };

  // What the platform's client does: an object to listen at, and the same by `AP.events`.
  const dialog = (given = {}) => {
    const { key, header, width, height, customData } = given;
    const opened = call("dialog", { key, header, width, height, customData });
    opened.catch((error) => console.error(`AP.dialog.create: ${error.message}`));
    return { on: (name, listener) => (name === "close" ? once("dialog.close", listener) : undefined) };
  };

  const sizeToParent = () => call("resize", { width: "100%", height: "80vh" });

  window.AP = Object.freeze({
    request,
    context: Object.freeze({
      getToken: (callback) => both(call("token"), callback),
      getContext: (callback) => both(call("context"), callback),
    }),
    user: Object.freeze({
      getCurrentUser: (callback) => both(call("user"), callback),
      getTimeZone: (callback) => both(call("zone"), callback),
    }),
    getLocation: (callback) => both(call("location"), callback),
    resize: (width, height) => call("resize", { width, height }),
    sizeToParent,
    events: Object.freeze({ on, off, once, emit: (name, data) => call("emit", { name, data }) }),
    flag: Object.freeze({ create: flag }),
    dialog: Object.freeze({
      create: dialog,
      close: (data) => call("closeDialog", { data }),
      getCustomData: (callback) => both(call("dialogData"), callback),
    }),
  });

  if (!site || window.parent === window) return;
  if (options.get("sizeToParent") === "true") {
    sizeToParent();
  } else if (options.get("resize") !== "false") {
    const fit = () => {
      const { height } = document.documentElement.getBoundingClientRect();
      call("resize", { height: Math.ceil(height) });
    };
    window.addEventListener("load", () => {
      fit();
      new ResizeObserver(fit).observe(document.documentElement);
    });
  }
})();
