import api, { route } from '@forge/api';

export const run = async () => {
  await api.asApp().requestJira(route`/rest/api/3/search/jql?jql=${'updated > -1d'}`);
};
