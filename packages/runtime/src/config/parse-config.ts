import { TidegateError } from '@tidegate/core';
import { z } from 'zod';

/**
 * Reads configuration from environment variables by a shape of `VARIABLE: zod schema`.
 * Use the field builders of `fields.ts`: each describes what it expects, and that sentence is in the error.
 *
 * @throws TidegateError CONFIG_INVALID naming every missing or malformed variable and what it expects.
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

/** zod does not hand a description on to what `default` and `optional` wrap around it. */
function expectation(field: unknown): string | undefined {
  const { description, def } = (field ?? {}) as { description?: string; def?: { innerType?: unknown } };
  return description ?? (def?.innerType ? expectation(def.innerType) : undefined);
}

/** A value may be a secret: what it looked like is enough to mend it, the value itself stays out of logs. */
function redact(name: string, value: string): string {
  if (/SECRET|KEY|PASSWORD|TOKEN/.test(name)) return `(${value.length} characters, not shown)`;
  return value.replace(/\/\/[^@/]*@/, '//***@');
}
