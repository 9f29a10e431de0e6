import Resolver from '@forge/resolver';

const resolver = new Resolver();
resolver.define('hello', () => 'hello');
export const handler = resolver.getDefinitions();
