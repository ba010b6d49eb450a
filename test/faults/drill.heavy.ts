import { describe, test } from "vitest";
import { limit } from "../support/limits.ts";
import { used } from "../support/used.ts";
import type { Loss } from "./backup.ts";
import { drill } from "./drill.ts";
import { installWithProvider } from "./outages.ts";

const service = used(installWithProvider, limit(120_000));

const losses: Loss[] = (["kept", "earlier"] as const).flatMap((postgresql) =>
  (["kept", "empty", "older"] as const).flatMap((redis) =>
    (["kept", "empty", "older"] as const).map((temporal) => ({ postgresql, redis, temporal })),
  ),
);

describe.each(losses)("PostgreSQL $postgresql, Redis $redis, Temporal $temporal", (loss) => {
  test("everybody can go on, and no ended session lives again", () => drill(service, loss));
});
