// Clears the workbench away, so that app code meets the globals and nothing else.
(host) => {
  delete globalThis.__world__;
}
