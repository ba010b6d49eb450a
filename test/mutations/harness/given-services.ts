import type { TestProject } from "vitest/node";
import type { Services } from "../../support/services.ts";

/** Vitest's global set-up with services that already run, from TEST_SERVICES (JSON). */
export default function provideGivenServices(project: TestProject): void {
  const services = JSON.parse(process.env.TEST_SERVICES ?? "") as Services;
  for (const name of Object.keys(services) as (keyof Services)[])
    project.provide(name, services[name]);
}
