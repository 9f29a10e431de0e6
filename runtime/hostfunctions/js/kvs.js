// The emulator's stand-in for `@forge/kvs`: names to import; every operation throws
// NotEmulatedError.
//
// Follows: the exported names of @forge/kvs 1.6.5.
import { missing, NotEmulatedError } from "firebrick:errors";

const named = (names) => Object.fromEntries(names.map((name) => [name, name]));
const what = (name) => `the key-value store (kvs.${name})`;
const sooner = (name) => () => {
  throw new NotEmulatedError(what(name));
};

export class ForgeKvsError extends Error {
  constructor(message) {
    super(message);
    this.name = "ForgeKvsError";
  }
}

export class ForgeKvsAPIError extends ForgeKvsError {
  constructor(responseDetails, { code, message, context } = {}) {
    super(message);
    Object.assign(this, { responseDetails, code, context });
  }
}

export const Sort = named(["ASC", "DESC"]);
export const MetadataField = named(["CREATED_AT", "UPDATED_AT", "EXPIRE_TIME"]);
const conditions = (names) => Object.fromEntries(names.map((name) => [name, sooner(name)]));
export const WhereConditions = conditions([
  "beginsWith",
  "between",
  "equalTo",
  "greaterThan",
  "greaterThanEqualTo",
  "lessThan",
  "lessThanEqualTo",
]);
export const FilterConditions = conditions([
  "beginsWith",
  "between",
  "contains",
  "notContains",
  "equalTo",
  "notEqualTo",
  "exists",
  "notExists",
  "greaterThan",
  "greaterThanEqualTo",
  "lessThan",
  "lessThanEqualTo",
]);

export class Filter {
  constructor() {
    throw new NotEmulatedError(what("Filter"));
  }
}

export const kvs = {
  ...Object.fromEntries(
    [
      "get",
      "set",
      "delete",
      "getSecret",
      "setSecret",
      "deleteSecret",
      "batchSet",
      "batchDelete",
      "batchGet",
    ].map((name) => [name, missing(what(name))]),
  ),
  ...Object.fromEntries(["query", "entity", "transact"].map((name) => [name, sooner(name)])),
};
export default kvs;
