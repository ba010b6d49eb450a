import { afterAll, beforeAll, expect, test } from "vitest";
import { logInByPassword } from "../support/scenarios.ts";
import { type Stack, startStack } from "../support/stack.ts";

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterAll(() => stack.stop());

const read = async () => (await stack.app.request("/metrics")).text();
const counts = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("second_step_http_request_duration_seconds_count"));

test("requests are counted by their route, never by the address that was called", async () => {
  const user = await stack.createUser();
  const { token, id } = await logInByPassword(stack, user);
  await stack.api.endSession(token, id);
  await stack.app.request("/wp-login.php?user=1");
  const text = await read();
  expect(counts(text)).toEqual(
    expect.arrayContaining([
      expect.stringContaining('{method="POST",route="/v1/login",status="200"} 1'),
      expect.stringContaining('{method="DELETE",route="/v1/sessions/:id",status="204"} 1'),
      expect.stringContaining('{method="GET",route="none",status="404"} 1'),
    ]),
  );
  for (const secret of [id, token, user.username, "wp-login"]) expect(text).not.toContain(secret);
});
