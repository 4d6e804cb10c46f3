"""The Python interface of AIOpsLab, for agents that were written for it.

    from aiopslab.orchestrator import Orchestrator

    orchestrator = Orchestrator()
    orchestrator.register_agent(agent, name="my agent")
    description, instructions, actions = orchestrator.init_problem("misconfig_app_hotel_res-detection-1")
    outcome = asyncio.run(orchestrator.start_problem(max_steps=30))

An agent is any object with `async get_action(self, input: str) -> str`. Importing does nothing; the
system is found or brought up by the first call that needs it (see aiopslab.stack).
"""
