/** A copy that lacks some optional properties: under exactOptionalPropertyTypes absent and undefined differ. */
export function without<T extends object, Key extends keyof T>(
  value: T,
  ...keys: readonly Key[]
): Omit<T, Key> {
  const copy = { ...value };
  for (const key of keys) Reflect.deleteProperty(copy, key);
  return copy;
}
