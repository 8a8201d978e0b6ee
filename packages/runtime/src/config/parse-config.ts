import { TidegateError } from '@tidegate/core';
import { z } from 'zod';

/**
 * Parses environment variables by a shape of `VARIABLE: zod schema`. Use the field builders of `fields.ts`: each
 * describes its expected value, and the error contains that description.
 *
 * @throws TidegateError CONFIG_INVALID that names every missing or malformed variable and its expected value.
 *
 * @example
 * const { PORT, DATABASE_URL } = parseConfig({
 *   PORT: port().default(4000),
 *   DATABASE_URL: url(['postgres'], 'the database'),
 * });
 */
export function parseConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: Record<string, string | undefined> = process.env,
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') given[name] = value;
  }
  const parsed = z.object(shape).safeParse(given);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => {
    const name = String(issue.path[0]);
    const expects = expectation(shape[name]) ?? issue.message;
    const found =
      given[name] === undefined ? 'is not set' : `is ${JSON.stringify(redact(name, given[name]))}`;
    return `${name} ${found}; it expects ${expects}`;
  });
  throw new TidegateError('CONFIG_INVALID', [...new Set(problems)].join('\n'), {
    details: { variables: [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))] },
  });
}

/** Unwraps `default` and `optional`: zod does not copy the description of the inner schema to the outer one. */
function expectation(field: unknown): string | undefined {
  const { description, def } = (field ?? {}) as { description?: string; def?: { innerType?: unknown } };
  return description ?? (def?.innerType ? expectation(def.innerType) : undefined);
}

/** Hides a value that may be a secret: its length is enough to find the mistake, and the value stays out of logs. */
function redact(name: string, value: string): string {
  if (/SECRET|KEY|PASSWORD|TOKEN/.test(name)) return `(${value.length} characters, not shown)`;
  return value.replace(/\/\/[^@/]*@/, '//***@');
}
