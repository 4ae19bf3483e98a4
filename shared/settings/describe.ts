import type { z } from "zod";
import { type Kind, type RegisteredField, registeredFields } from "./field.ts";

/** The zod object of a subcommand's settings. */
export type SettingsSchema = z.ZodObject;

/** Everything that follows from one declaration. */
export interface Setting extends RegisteredField {
  /** Name in the settings object: `queueTimeoutMs`. */
  readonly property: string;
  /** `queue-timeout` */
  readonly key: string;
  /** `--queue-timeout` */
  readonly flag: string;
  /** `queue_timeout` */
  readonly tomlKey: string;
  /** Environment variables, the strongest first: `SIGNALBOX_QUEUE_TIMEOUT`, `QUEUE_TIMEOUT_SECS`. Maybe none. */
  readonly variables: readonly string[];
  readonly kind: Kind<unknown>;
}

/** The settings of a schema in the order of their declaration. @throws TypeError for a property not made by `field` */
export function describe(schema: SettingsSchema): Setting[] {
  return Object.entries(schema.shape).map(([property, fieldSchema]) => {
    const info = registeredFields.get(fieldSchema);
    if (!info) throw new TypeError(`Cannot describe setting "${property}": it was not made by field()`);
    const key = info.key ?? keyOf(property);
    const snake = key.replaceAll("-", "_");
    return {
      ...info,
      property,
      key,
      flag: `--${key}`,
      tomlKey: snake,
      variables: info.flagOnly ? [] : [`SIGNALBOX_${snake.toUpperCase()}`, ...(info.env ?? [])],
    };
  });
}

/** `queueTimeoutMs` → `queue-timeout`: texts carry their unit, so its name is not part of the key. */
function keyOf(property: string): string {
  const name = property.replace(/(Ms|Bytes)$/, "");
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
