import Resolver from '@forge/resolver';
import api, { route } from '@forge/api';

const resolver = new Resolver();
resolver.define('close', ({ payload }) =>
  api.asApp().requestJira(route`/rest/api/3/issue/${payload.key}/transitions`, {
    method: 'POST',
    body: JSON.stringify({ transition: { id: '31' } }),
  }),
);
export const handler = resolver.getDefinitions();
