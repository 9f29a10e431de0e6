import api, { route } from '@forge/api';

const CREATE = { method: 'POST' };

export const run = async (event) => {
  await api.asUser().requestJira(route`/rest/api/3/issue/${event.issue.key}`);
  await api.asUser().requestJira(route`/rest/api/3/issue/${event.issue.key}`, { method: 'DELETE' });
  await api.asApp().requestJira(route`/rest/api/3/issue`, CREATE);
  await api.asApp().requestJira(route`/rest/api/3/issues`);
};
