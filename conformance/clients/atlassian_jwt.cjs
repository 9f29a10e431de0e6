// Atlassian's two packages for the tokens of Connect: hash, sign, and verify what the site sends.
"use strict";

const { library: name, site, key, secret, clientKey, vectors, paths, frame } = JSON.parse(process.argv[2]);
const library = require(name);
const encode = library.encodeSymmetric ?? library.encode;
const decode = library.decodeSymmetric ?? library.decode;
const hash = (method, url) => library.createQueryStringHash(library.fromMethodAndUrl(method, url));

const signed = async (path, signer) => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: key, iat: now, exp: now + 180, qsh: hash("GET", path) };
  const token = encode(claims, signer);
  const answer = await fetch(site + path, { headers: { authorization: `JWT ${token}` } });
  return answer.status;
};

(async () => {
  const statuses = [];
  for (const path of paths) statuses.push(await signed(path, secret));
  const token = new URL(frame, "http://app").searchParams.get("jwt");
  const claims = decode(token, secret, "HS256");
  const said = {
    hashes: vectors.map(([method, url]) => hash(method, url)),
    statuses,
    forged: await signed(paths[0], "x".repeat(64)),
    frame: claims.iss,
    believed: [claims.iss === clientKey, claims.qsh === hash("GET", frame)],
  };
  console.log(JSON.stringify(said));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
