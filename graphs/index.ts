/**
 * The library `ensemble/patterns`. The building blocks come first and the patterns last, because the patterns import the building blocks
 * from this file, under the package's name.
 */
export { type Agent, type AgentOptions, agent, asAgent, fromData, type Member, type Workable } from "./agent/agent.ts";
export type { AgentRun } from "./agent/agent-run.ts";
export { AgentState } from "./agent/agent-state.ts";
export { AskTimeout, askAnswer, askApproval } from "./agent/ask-human.ts";
export { type AgentGraph, buildAgent } from "./agent/build.ts";
export { closed } from "./agent/closed.ts";
export {
  AllowedDirectories,
  AllowedHosts,
  type Budget,
  Cache,
  type Limits,
  type Models,
  mostSuperSteps,
  patternContext,
  sharedContext,
  solverContext,
  tierOf,
} from "./agent/context.ts";
export { type FailedItem, reportFailedItems } from "./agent/dead-letters.ts";
export { withDefaults } from "./agent/defaults.ts";
export { defineProject, type ProjectParts } from "./agent/define-project.ts";
export { AgentFailed, fail, failing, failureState, orFail } from "./agent/failing.ts";
export { fetchPage } from "./agent/fetch-page.ts";
export { bothGuardrails, type GuardFunction, type GuardrailsInCode } from "./agent/guards/in-code.ts";
export { GuardrailTripped } from "./agent/guards/input.ts";
export { setProjectGuards } from "./agent/guards/project-guards.ts";
export { findToolProblems, Guard } from "./agent/guards/schema.ts";
export { guarded, type WholeInCode } from "./agent/guards/whole.ts";
export { BudgetExceeded, budgetLeft, CallStatus, enforceBudget, entryOf, Ledger, LedgerEntry, priceOf } from "./agent/ledger.ts";
export { Alerts } from "./agent/metrics/alerts.ts";
export { executionOf } from "./agent/metrics/executions.ts";
export { ledgerState, measured } from "./agent/metrics/measured.ts";
export { inSequence, inStages } from "./agent/metrics/pieces.ts";
export { type Facts, Metrics, metricsOf, type Piece, type TaskFact } from "./agent/metrics/run-metrics.ts";
export { readyAfter, Span, spanAfter } from "./agent/metrics/span.ts";
export { muted } from "./agent/muted.ts";
export { allowedDirectories, allowedHosts, isWithin } from "./agent/operator-limits.ts";
export { report } from "./agent/progress.ts";
export { openProjectGraph, projectGraphIds } from "./agent/project-graphs.ts";
export { asText } from "./agent/prompt.ts";
export { type Assignment, failureOf, type Outcome, requireAgent, runAgent } from "./agent/run-agent.ts";
export { AgentData, JsonSchema, Roster } from "./agent/schema.ts";
export { appending } from "./agent/state.ts";
export { jsonSchemaOf } from "./agent/structured.ts";
export { callingWith } from "./agent/subgraph.ts";
export { answerWith, beginTask, Material, taskInput, taskOf, taskState } from "./agent/task.ts";
export { ToolName } from "./agent/tool-names.ts";
export { valueAt } from "./agent/value-at.ts";
export { Aggregation, gapsOf } from "./aggregator/aggregation.ts";
export { agreementOf } from "./aggregator/agreement.ts";
export { compare, rates } from "./aggregator/comparison.ts";
export { LabelledResult, LabelledResults } from "./aggregator/labelled-result.ts";
export { findPatterns } from "./aggregator/outcome-patterns.ts";
export { recommend } from "./aggregator/recommendation.ts";
export { reportOf } from "./aggregator/report.ts";
export { Synthesis, SynthesisAnswer } from "./aggregator/synthesis.ts";
export { wordsOf } from "./aggregator/words.ts";
export { historyOf as busHistory } from "./bus/message.ts";
export { type ListenerGraph, listenerGraph, type Planned } from "./engines/choreography/choreography.ts";
export { choiceOf, emissionsOf, emit } from "./engines/choreography/emit.ts";
export {
  chainOf,
  changeOf,
  type Emission,
  type Event,
  heardBy,
  keyOf,
  type Listener,
  leavesOf,
  type Trigger,
  typesOf,
  type Wake,
} from "./engines/choreography/event.ts";
export { valuesOf } from "./engines/choreography/match.ts";
export {
  boardState,
  type ChoreographyValues,
  choreographyState,
  closingMessages,
  Settlement,
} from "./engines/choreography/state.ts";
export {
  Answer as JudgeAnswer,
  type CodeCondition,
  Condition,
  type ConditionFunction,
  type ConditionInCode,
  type Conditions,
  conditionToData,
  evaluate,
  questionsIn,
} from "./engines/conditions.ts";
export { Selector, Speakers } from "./engines/conversation/choose.ts";
export { type Handing, Handoff, handingOver } from "./engines/conversation/handoff.ts";
export { checkNames } from "./engines/conversation/names.ts";
export type { Participant } from "./engines/conversation/state.ts";
export { conversation } from "./engines/conversation.ts";
export { Threshold } from "./engines/deliberation/consensus.ts";
export { asExpert, checkExperts, type PanelMember } from "./engines/deliberation/experts.ts";
export { Expert } from "./engines/deliberation/opinion.ts";
export { deliberation } from "./engines/deliberation.ts";
export { type Code, checkAgents, Doing, type DoingInCode, perform, type StepFunction, type Surroundings, toData } from "./engines/doing.ts";
export { handedConversation } from "./engines/handed-conversation.ts";
export { problemsOf as problemsOfMachine, warningsOf as warningsOfMachine } from "./engines/machine/check.ts";
export { diagramOf } from "./engines/machine/diagram.ts";
export { machineState, type Running as RunningMachine } from "./engines/machine/state.ts";
export { eventsIn, GuardFailed, InvalidTransition, type Machine, type Transition } from "./engines/machine/table.ts";
export { machineGraph } from "./engines/machine.ts";
export { Termination } from "./engines/termination.ts";
export { type CompensatedValues, compensations } from "./engines/workflow/compensate.ts";
export { stepContext } from "./engines/workflow/context.ts";
export { stoppedAt } from "./engines/workflow/nodes.ts";
export { inputOf, outputOf } from "./engines/workflow/settle.ts";
export { byKey, type WorkflowValues, workflowState } from "./engines/workflow/state.ts";
export { type Decision, type Step, StepResult, stepName } from "./engines/workflow/step.ts";
export { type WorkflowGraph, workflow } from "./engines/workflow/workflow.ts";
export { batchesOf, runOf } from "./scenario/batches.ts";
export { type ScenarioContextInput, scenarioContext } from "./scenario/context.ts";
export { Estimate } from "./scenario/estimate.ts";
export { reportOn } from "./scenario/outcome.ts";
export { halved, planRun, ScenarioRequests } from "./scenario/plan.ts";
export { beginAll, isOver } from "./scenario/progress.ts";
export { forgetSegment } from "./scenario/side-by-side.ts";
export { sideBySide } from "./scenario/state.ts";
export { Mode, nextSegment, remaining, syncOf } from "./scenario/sync.ts";
export { profile, ScenarioDefinition } from "./skills/definition.ts";
export { setProjectSkills } from "./skills/project.ts";
export { pick, placeIn, seededRandom } from "./skills/random.ts";
export { skillName, skillsWith } from "./skills/registry.ts";
export { type Batch, defineSkill, type Job, type Skill, type SkillOptions } from "./skills/skill.ts";

// The patterns must come last, after everything that they import. This comment prevents the import sorter from moving them up.

export { type AggregateOptions, aggregate } from "./aggregator.ts";
export { type BlackboardOptions, blackboard, withConfidence } from "./blackboard.ts";
export { type BusFunction, type BusOptions, bus } from "./bus.ts";
export { type ChatOptions, chat } from "./chat.ts";
export { type ChooserOptions, chooser } from "./chooser.ts";
export { type ChoreographyOptions, choreography } from "./choreography.ts";
export { type CrewOptions, crew, crewFrom } from "./crew.ts";
export { type DebateOptions, debate } from "./debate.ts";
export { type FanOutOptions, fanOut } from "./fan-out.ts";
export { and, type FlowOptions, flow, or } from "./flow.ts";
export { type GroupChatOptions, groupChat } from "./group-chat.ts";
export { type HierarchyOptions, hierarchy } from "./hierarchy.ts";
export { type MapReduceOptions, mapReduce } from "./map-reduce.ts";
export { type MeshOptions, mesh } from "./mesh.ts";
export { type PanelOptions, panel } from "./panel.ts";
export { type PipelineOptions, pipeline } from "./pipeline.ts";
export { type PlanExecuteOptions, planExecute } from "./plan-execute.ts";
export { type ReactOptions, react } from "./react.ts";
export { type ReflectOptions, reflect } from "./reflect.ts";
export { type SagaOptions, saga } from "./saga.ts";
export { type ScenarioOptions, scenario } from "./scenario.ts";
export { type StateMachineOptions, stateMachine } from "./state-machine.ts";
export { type SupervisorOptions, supervisor } from "./supervisor.ts";
export { type SwarmOptions, swarm } from "./swarm.ts";
export { type TeamOptions, team } from "./team.ts";
export { type WorkEngineOptions, workEngine } from "./work-engine.ts";
