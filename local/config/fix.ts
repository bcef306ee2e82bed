/** What to write instead: the example that the schema gives for the place. */
import { stringify } from 'yaml';
import type { JsonSchema } from './schema.ts';

/** ` (for example terminatingSeconds: 120)`, or nothing when the schema has no example for the place. */
export function fixFor(schema: JsonSchema, path: readonly PropertyKey[], value: unknown): string {
  const example = schemaAt(schema, path, value)?.examples?.[0];
  if (example === undefined) return '';
  const key = path.at(-1);
  const shown = typeof key === 'string' ? { [key]: example } : example;
  const yaml = stringify(shown, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  const line = typeof key === 'string' ? yaml.replace(/^\{ ?(.*?) ?\}$/s, '$1') : yaml;
  return `; write for example ${line}`;
}

/** The part of the schema for a place of the value; among alternatives the one whose constants the value has. */
export function schemaAt(
  schema: JsonSchema,
  path: readonly PropertyKey[],
  value: unknown,
): JsonSchema | undefined {
  const chosen = choose(schema, value);
  const [segment, ...rest] = path;
  if (chosen === undefined || segment === undefined) return chosen;
  const inner =
    typeof segment === 'number'
      ? chosen.items
      : (chosen.properties?.[String(segment)] ??
        (typeof chosen.additionalProperties === 'object' ? chosen.additionalProperties : undefined));
  return inner === undefined ? undefined : schemaAt(inner, rest, member(value, segment));
}

function choose(schema: JsonSchema, value: unknown): JsonSchema | undefined {
  const alternatives = schema.oneOf ?? schema.anyOf;
  if (alternatives === undefined) return schema;
  return alternatives.find((alternative) =>
    Object.entries(alternative.properties ?? {}).some(
      ([key, property]) => property.const !== undefined && property.const === member(value, key),
    ),
  );
}

function member(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined;
}
