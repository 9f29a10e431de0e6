// `assert/strict` for bundled apps.
module.exports = require("./assert.js").strict;
