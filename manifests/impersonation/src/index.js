import api, { route } from '@forge/api';

export const run = async (event) => {
  const { reporter } = event.issue.fields;
  await api.asUser(reporter.accountId).requestJira(route`/rest/api/3/issue/${event.issue.key}`);
  await api.asApp().requestJira(route`/rest/api/3/myself`);
};
