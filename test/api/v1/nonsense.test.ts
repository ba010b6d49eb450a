import { expect, test } from "vitest";
import { limit } from "../../support/limits.ts";
import { expectNothingInternal } from "../../support/problems.ts";
import { logInByPassword } from "../../support/scenarios.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

type Schema = { $ref?: string; properties?: Record<string, Schema> };
type Call = {
  method: string;
  path: string;
  fields: string[];
  query: string[];
};

const NONSENSE: unknown[] = [
  ...[null, true, 0, -1, 0.5, 1e308, [], {}, [null], { toString: 1 }],
  ...["", " ", "\0", "a\0b", "\ud800", "💥", "x".repeat(3000), "9".repeat(40), "__proto__"],
  ...["1970-01-01", "NaN", "-0", "%00", "' or 1=1 --", "{{7*7}}", "../../etc/passwd", "\r\nx: y"],
];
const PATHS = ["x", "%00", "a%00b", "%ff", "%F0%9F%92%A5", "..%2f..", "'", "0".repeat(32)];

function calls(): Call[] {
  const { paths, components } = stack.document;
  const resolve = ({ $ref, ...schema }: Schema): Schema =>
    $ref ? (components.schemas[$ref.split("/").at(-1) ?? ""] as Schema) : schema;
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const { requestBody, parameters = [] } = operation as {
        requestBody?: { content: Record<string, { schema: Schema }> };
        parameters?: { name: string; in: string }[];
      };
      const schema = requestBody?.content["application/json"]?.schema;
      return {
        method: method.toUpperCase(),
        path,
        fields: Object.keys((schema && resolve(schema).properties) ?? {}),
        query: parameters.filter((one) => one.in === "query").map(({ name }) => name),
      };
    }),
  );
}

/** The requests for a call: nonsense in one place each, and in all places at once. */
function* requests({ path, fields, query }: Call) {
  const filled = path.replace(/\{\w+\}/g, "0".repeat(56));
  const body = (value: unknown) => Object.fromEntries(fields.map((field) => [field, value]));
  for (const value of NONSENSE) {
    if (fields.length > 0) yield { path: filled, body: body(value) };
    if (fields.length > 1)
      for (const field of fields) yield { path: filled, body: { ...body("x"), [field]: value } };
    for (const name of query)
      yield { path: `${filled}?${name}=${encodeURIComponent(wellFormed(value))}` };
  }
  if (path.includes("{"))
    for (const text of PATHS)
      yield {
        path: path.replace(/\{\w+\}/g, text),
        body: fields.length > 0 ? body("1234567") : undefined,
      };
}

/** Replaces lone surrogates, which a URL cannot contain. */
const wellFormed = (value: unknown) => String(JSON.stringify(value)).replace(/\\ud800/g, "x");

test(
  "no call answers nonsense with a 500; each refusal is a problem document in our own words",
  async () => {
    for (const call of calls()) {
      const user = await stack.createUser();
      let session = await logInByPassword(stack, user);
      for (const { path, ...rest } of requests(call)) {
        // The client throws for a 500 and for an answer that is not in the document.
        const answer = await stack.api.call(call.method, path, { token: session.token, ...rest });
        if (answer.status < 400) continue;
        expect(answer.headers.get("content-type")).toBe("application/problem+json");
        expectNothingInternal(answer.text);
        // The validation library's own messages do not help a person.
        expect(answer.text).not.toMatch(
          /Too (big|small)|Invalid (input|option)|Unrecognized|expected/,
        );
        if (answer.status === 401) session = await logInByPassword(stack, user);
      }
    }
    const errors = stack.logged().filter((line) => JSON.parse(line).level >= 50);
    expect(errors).toEqual([]);
  },
  limit(60_000),
);
