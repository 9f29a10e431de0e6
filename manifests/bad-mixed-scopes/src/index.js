import api, { route } from '@forge/api';

export const run = async ({ dashboard }) => {
  await api.asApp().requestJira(route`/rest/api/3/dashboard/${dashboard}/gadget`, { method: 'POST' });
};
