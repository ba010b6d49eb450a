import { inspect } from "node:util";
import { defaultFailureConverter, defaultPayloadConverter } from "@temporalio/common";
import { afterAll, beforeAll, expect, test } from "vitest";
import { UndeliverableError } from "../../providers/sms/sms.ts";
import { connectDatabase, type Db } from "../../store/postgres/connect.ts";
import { freshDatabase } from "../support/databases.ts";
import { useActivities } from "./perform.ts";
import { challenged, enrollee, NUMBER } from "./subjects.ts";

const { deps, logged, perform } = useActivities();

let withoutTables: Db;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const { url, drop } = await freshDatabase("postgres");
  const database = connectDatabase(url);
  withoutTables = database.db;
  closing.push(database.close, drop);
});
afterAll(async () => {
  for (const close of closing) await close();
});

/** What a failure writes into a workflow's history and into this process's log. */
async function tracesOf(attempt: Promise<unknown>) {
  const from = logged.length;
  const error = await attempt.then(
    () => {
      throw new Error("It did not fail");
    },
    (reason: unknown) => reason,
  );
  const failure = defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
  const log = inspect(logged.slice(from), { depth: null, showHidden: true });
  return { failure, text: JSON.stringify(failure, decoded) + log };
}

/** Decodes a payload's bytes to text. */
const decoded = (key: string, value: unknown) =>
  key === "data" ? Buffer.from(value as Uint8Array).toString() : value;

const unavailable = (activity: string) => ({
  message: `${activity} failed`,
  cause: undefined,
  applicationFailureInfo: { type: "dependency_unavailable", nonRetryable: false },
});

test("an SQL error quotes its parameters: none of it is passed on", async () => {
  const secret = "4711-parameter";
  const { failure, text } = await tracesOf(
    perform("sendPin", { userId: secret, deviceId: secret, sending: 1 }, { db: withoutTables }),
  );
  expect(failure).toMatchObject(unavailable("sendPin"));
  for (const word of [secret, "select", "devices", "relation"]) expect(text).not.toContain(word);
});

test.each([
  ["as its message", (quote: string) => new Error(quote)],
  ["as its cause", (quote: string) => new Error("400", { cause: new Error(quote) })],
  ["in a field", (quote: string) => Object.assign(new Error("400"), { body: quote })],
  ["as a plain string", (quote: string) => quote],
  ["that is undefined", () => undefined],
])("a provider's error that quotes number and code %s is not passed on", async (_how, errorOf) => {
  let code = "";
  const sms = {
    async send({ to, body }: { to: string; body: string }) {
      code = /^\d{7}/.exec(body)?.[0] ?? "";
      throw errorOf(`cannot send '${body}' to ${to}`);
    },
  };
  const { failure, text } = await tracesOf(
    perform("sendPasscode", { ...(await challenged(deps)), sending: 1 }, { sms }),
  );
  expect(failure).toMatchObject(unavailable("sendPasscode"));
  expect(code).not.toBe("");
  for (const secret of [code, NUMBER.slice(1), "cannot send"]) expect(text).not.toContain(secret);
});

test("a phone that cannot be reached is a final failure with a reason", async () => {
  const sms = {
    send: async () => {
      throw new UndeliverableError("not_a_mobile");
    },
  };
  const { failure } = await tracesOf(
    perform("sendPin", { ...(await enrollee(deps)), sending: 1 }, { sms }),
  );
  expect(failure).toMatchObject({
    message: "The phone cannot be reached",
    applicationFailureInfo: { type: "not_a_mobile", nonRetryable: true },
  });
});

test("the log says which activity failed, and with which kind of error", async () => {
  const from = logged.length;
  const ids = { userId: "u", deviceId: "d", sending: 1 };
  await tracesOf(perform("sendPin", ids, { db: withoutTables }));
  expect(logged.slice(from)).toEqual([
    [{ activity: "sendPin", error: "error", code: "42P01" }, expect.any(String)],
  ]);
});
