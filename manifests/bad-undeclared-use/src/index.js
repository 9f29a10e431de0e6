import api, { fetch, invokeRemote, storage } from '@forge/api';
import sql from '@forge/sql';

export const run = async () => {
  await storage.get('key');
  await sql.prepare('SELECT 1').execute();
  await fetch('https://api.example.com/v1');
  await invokeRemote('backend', { path: '/' });
};
