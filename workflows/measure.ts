import { metricMeter, workflowInfo } from "@temporalio/workflow";

/** Counts a flow's end and its duration. A replay counts nothing. No tag names a user. */
export function measureEnd({ state, method = "none" }: { state: string; method?: string }) {
  const { workflowType, startTime } = workflowInfo();
  const tags = { type: workflowType, outcome: state, method };
  metricMeter.createCounter("second_step_flows", undefined, "Flows by how they ended").add(1, tags);
  // The workflow's own clock, which reads the same in a replay.
  const seconds = (Date.now() - startTime.getTime()) / 1000;
  metricMeter
    .createHistogram(
      "second_step_flow_duration",
      "float",
      "seconds",
      "How long flows took to their end",
    )
    .record(seconds, tags);
}
