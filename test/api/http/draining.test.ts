import { expect, test } from "vitest";
import { startGateway } from "../../support/gateway.ts";
import { limit } from "../../support/limits.ts";
import { until } from "../../support/until.ts";
import { useStack } from "../../support/used.ts";

const stack = useStack();

test(
  "a gateway that is told to stop is not ready at once, and serves until balancers have noticed",
  async () => {
    const gateway = await startGateway(stack, { DRAIN_SECONDS: "5" });
    const get = (path: string) => fetch(gateway.url + path);
    expect((await get("/readyz")).status).toBe(200);

    const ended = gateway.stop();
    const answer = await until(
      () => get("/readyz"),
      ({ status }) => status !== 200,
    );
    expect([answer.status, await answer.json()]).toEqual([503, { status: "draining" }]);
    expect((await get("/login")).status).toBe(200);
    expect(await ended).toBe("exit code 0");
    await expect(get("/readyz")).rejects.toThrow();
  },
  limit(60_000),
);
