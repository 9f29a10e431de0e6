// `fs/promises` for bundled apps: there is no file system, so there is no file.
module.exports = require("./fs.js").promises;
