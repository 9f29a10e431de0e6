// `util/types` for bundled apps.
module.exports = require("./util.js").types;
