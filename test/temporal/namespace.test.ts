import { test } from "vitest";
import { createClient } from "../support/client.ts";
import { expectProblem } from "../support/problems.ts";
import { enrollPhone } from "../support/scenarios.ts";
import { until } from "../support/until.ts";
import { useStack } from "../support/used.ts";

const stack = useStack();

test("a Temporal that does not know our namespace, as just after its start, counts as away", async () => {
  const user = await stack.createUser();
  await enrollPhone(stack, user);
  const { client, namespace } = stack.temporal;
  await client.connection.operatorService.deleteNamespace({ namespace });
  // A client without retries: the usual test client retries a 503.
  const { logIn } = createClient(async (path, init) => stack.app.request(path, init));
  const answer = await until(
    () => logIn(user),
    ({ status }) => status !== 200,
  );
  expectProblem(answer, "service_unavailable");
});
