// `stream/promises` for bundled apps.
const { finished, pipeline } = require("./stream.js");

const promised =
  (act) =>
  (...args) =>
    new Promise((resolve, reject) => {
      act(...args, (error) => (error ? reject(error) : resolve()));
    });

module.exports = { finished: promised(finished), pipeline: promised(pipeline) };
