// An Express app that logs people in by passport-atlassian-oauth2, as its documentation shows.
"use strict";

const express = require("express");
const passport = require("passport");
const session = require("express-session");
const AtlassianStrategy = require("passport-atlassian-oauth2");

const { port, base, clientID, clientSecret, options, fixed } = JSON.parse(process.argv[2]);
const addresses = {
  authorizationURL: `${base}/authorize`,
  tokenURL: `${base}/oauth/token`,
  profileURL: `${base}/me`,
  accessibleResourcesURL: `${base}/oauth/token/accessible-resources`,
};
passport.serializeUser((user, done) => done(null, user));
passport.deserializeUser((user, done) => done(null, user));
for (const [name, own] of Object.entries(options)) {
  const strategy = new AtlassianStrategy(
    {
      clientID,
      clientSecret,
      callbackURL: `http://127.0.0.1:${port}/auth/${name}/callback`,
      scope: "offline_access read:jira-work",
      ...(name === fixed ? {} : addresses), // one has the platform's own addresses
      ...own,
    },
    (accessToken, refreshToken, profile, done) => done(null, { accessToken, refreshToken, profile }),
  );
  passport.use(name, strategy);
}

const app = express();
app.use(session({ secret: "for tests", resave: false, saveUninitialized: true }));
app.use(passport.initialize());
app.get("/ready", (_, response) => response.json({ ready: true }));
app.get("/auth/:name", (request, ...rest) => passport.authenticate(request.params.name)(request, ...rest));
app.get("/auth/:name/callback", (request, response, next) => {
  const told = (error) => (error ? next(error) : response.json(request.user));
  passport.authenticate(request.params.name, { session: false })(request, response, told);
});
app.use((error, request, response, next) => {
  response.status(error.status ?? 500).json({ error: error.message, code: error.code });
});
app.listen(port, "127.0.0.1");
