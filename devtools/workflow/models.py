"""Language models behind an OpenAI-style API, such as those of LM Studio and Ollama."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import requests
from graphon.model_runtime.entities.common_entities import I18nObject
from graphon.model_runtime.entities.llm_entities import (
    LLMResultChunk,
    LLMResultChunkDelta,
    LLMUsage,
)
from graphon.model_runtime.entities.message_entities import AssistantPromptMessage, PromptMessage
from graphon.model_runtime.entities.model_entities import AIModelEntity, FetchFrom, ModelType

_SECONDS = 600


@dataclass
class ChatModel:
    """One model of the API at `base_url`, which ends in /v1."""

    base_url: str
    model_name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    provider: str = "openai_api_compatible"
    stop: Sequence[str] | None = None

    def deltas(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
    ) -> Iterator[dict[str, Any]]:
        """Yield what is new of the reply, as it streams; OSError if the API fails."""
        body: dict[str, Any] = {"model": self.model_name, "messages": messages, "stream": True}
        if tools:
            body["tools"] = tools
        url = f"{self.base_url}/chat/completions"
        with requests.post(url, json=body | dict(self.parameters), stream=True, timeout=_SECONDS) as r:
            r.raise_for_status()
            for line in r.iter_lines():
                data = line.decode().removeprefix("data: ")
                if data and data != "[DONE]":
                    yield json.loads(data)["choices"][0]["delta"]

    def invoke_llm(
        self, *, prompt_messages: Sequence[PromptMessage], **_: object
    ) -> Generator[LLMResultChunk]:
        messages = [{"role": str(m.role), "content": m.get_text_content()} for m in prompt_messages]
        for delta in self.deltas(messages):
            yield self._chunk(delta.get("content") or "")
        yield self._chunk("", usage=LLMUsage.empty_usage(), finish_reason="stop")

    def get_model_schema(self) -> AIModelEntity:
        return AIModelEntity(
            model=self.model_name,
            label=I18nObject(en_US=self.model_name),
            model_type=ModelType.LLM,
            fetch_from=FetchFrom.CUSTOMIZABLE_MODEL,
            model_properties={},
        )

    def _chunk(self, content: str, **rest: Any) -> LLMResultChunk:  # noqa: ANN401
        message = AssistantPromptMessage(content=content)
        delta = LLMResultChunkDelta(index=0, message=message, **rest)
        return LLMResultChunk(model=self.model_name, delta=delta)
