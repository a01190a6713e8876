"""Those of graphql-core's tests that plans do not pass, or of which they do not execute everything; and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

_ARGUMENTS = "variables/using_fragment_arguments"
_COERCION = "variables/get_variable_values_limit_maximum_number_of_coercion_errors"
_DEEP = "variables/too_deeply_nested_variable_values"
_ITERABLES = "lists/execute_handles_abrupt_completion_in_synchronous_iterables"
_ASYNC_ITERABLES = "lists/execute_accepts_async_iterables_as_list_value"


class LeftOut(NamedTuple):
    """`how` is what becomes of them: see test_core.how()."""

    how: str
    reason: str
    blocks: Mapping[str, str]

    @property
    def tests(self) -> Sequence[str]:
        return [f"{block}/{name}" for block, names in self.blocks.items() for name in names.split()]


LEFT_OUT = (
    LeftOut(
        "fails",
        "What was begun comes to its end before the answer is given, where graphql-core answers and leaves it to the loop.",
        {_ITERABLES: "handles_iterator_errors_with_later_pending_awaitables handles_sync_errors_with_later_pending_awaitables"},
    ),
    LeftOut(
        "fails",
        "What was begun comes to its end before the answer is given, where graphql-core cancels it.",
        {"parallel/cancel_on_exception": "cancel_selection_sets cancel_lists cancel_async_iterators"},
    ),
    LeftOut(
        "fails",
        "Of two items whose errors make the same list null, the first is told of, where graphql-core tells of the one "
        "that was not waited for.",
        {_ASYNC_ITERABLES: "handles_mixture_of_sync_and_async_errors_in_async_iterables"},
    ),
    LeftOut(
        "fails",
        "The same errors, of which those that were waited for stand in another order.",
        {"nonnull/nulls_a_complex_tree_of_nullable_fields_each": "throws"},
    ),
    LeftOut(
        "core",
        "Arguments of fragments are an experiment that our parser does not let through.",
        {
            _ARGUMENTS: """
                when_a_value_is_required_and_provided
                when_a_value_is_required_and_not_provided
                when_the_definition_has_a_default_and_is_provided
                when_the_definition_has_a_default_and_is_not_provided
                when_the_definition_has_an_invalid_default_and_is_not_provided
                does_not_allow_invalid_types_to_be_used_as_fragment_variables
                when_a_default_is_not_provided_and_spreads_another_fragment
                when_the_definition_has_a_non_nullable_default_and_is_provided_null
                when_the_definition_has_no_default_and_is_not_provided
                when_an_argument_is_shadowed_by_an_operation_variable
                when_a_nullable_argument_without_field_default_is_shadowed
                when_a_nullable_argument_with_field_default_is_shadowed
                when_a_fragment_variable_is_shadowed_but_defined_in_op_variables
                when_a_fragment_is_used_with_different_args
                when_the_argument_variable_is_nested_in_a_complex_type
                when_argument_variables_are_used_recursively
                when_same_name_argument_variables_used_directly_and_recursively
                when_argument_passed_in_as_list
                when_argument_passed_to_a_directive
                when_argument_passed_to_a_directive_on_a_nested_field
            """,
            "variables/handles_custom_scalars_with_embedded_variables": """
                allows_custom_scalars_with_embedded_fragment_variables
                allows_custom_scalars_with_embedded_nested_fragment_variables
            """,
        },
    ),
    LeftOut(
        "nothing",
        "It passes; but it defers parts of changes, by a function of graphql-core's for that. Pacemark makes a change whole.",
        {
            "mutations/execute_handles_mutation_execution_ordering": """
                mutation_fields_with_defer_do_not_block_next_mutation
                mutation_with_defer_is_not_executed_serially
            """,
        },
    ),
    LeftOut(
        "core",
        "It sends @defer or @stream with a subscription, if only to say that nothing is to be deferred.",
        {
            "subscribe/subscription_publish_phase": """
                event_order_is_correct_for_multiple_publishes
                produces_a_payload_for_multiple_subscribe_in_same_subscription
                produces_a_payload_per_subscription_event
                produces_a_payload_when_queried_fields_are_async
                produces_a_payload_when_there_are_multiple_events
                should_not_trigger_when_subscription_is_already_done
                should_not_trigger_when_subscription_is_thrown
                subscribe_function_returns_errors_with_defer
                subscribe_function_returns_errors_with_stream
            """,
        },
    ),
    LeftOut(
        "nothing",
        "It passes; but it opens a stream, as graphql-core does for both engines, and executes no event with either.",
        {
            "subscribe/subscription_initialization_phase": """
                accepts_positional_arguments
                maps_a_source_stream_with_a_custom_root_selection_set_executor
                resolves_to_an_error_for_subscription_resolver_errors
                resolves_to_an_error_for_unknown_subscription_field
                resolves_to_an_error_if_schema_does_not_support_subscriptions
                resolves_to_an_error_if_variables_were_wrong_type
                should_pass_through_unexpected_errors_thrown_in_subscribe
                throws_an_error_if_subscribe_does_not_return_an_iterator
                throws_for_legacy_execution_args_passed_to_create_source_event_stream
                throws_when_subscribe_is_called_with_a_non_subscription_operation
            """,
        },
    ),
    LeftOut(
        "core",
        "It says by a predicate of its own what an asynchronous iterable is, which nobody can say to Pacemark.",
        {_ASYNC_ITERABLES: "can_customize_detection_of_async_iterables"},
    ),
    LeftOut(
        "refused",
        "It passes; but the variables are refused before anything is executed, as they are by both engines.",
        {
            "oneof/one_of_input_objects": """
                rejects_a_bad_default_value
                rejects_a_variable_with_a_nulled_key
                rejects_a_variable_with_multiple_non_null_keys
                rejects_a_variable_with_multiple_nullable_keys
            """,
            "variables/using_variables": """
                reports_invalid_default_values_with_variable_definition_locations
                includes_suggestions_for_invalid_default_values
                hides_suggestions_for_invalid_default_values_when_specified
                errors_on_faulty_scalar_type_input
                errors_on_null_for_nested_non_null
                errors_on_incorrect_type
                errors_on_omission_of_nested_non_null
                errors_on_deep_nested_errors_and_with_many_errors
                errors_on_addition_of_unknown_input_field
            """,
            "variables/handles_non_nullable_scalars": """
                does_not_allow_non_nullable_inputs_to_be_omitted_in_a_variable
                does_not_allow_non_nullable_inputs_to_be_set_to_null_in_variable
                reports_error_for_array_passed_into_string_input
            """,
            "variables/handles_lists_and_nullability": """
                does_not_allow_non_null_lists_to_be_null
                does_not_allow_lists_of_non_nulls_to_contain_null
                does_not_allow_non_null_lists_of_non_nulls_to_be_null
                does_not_allow_non_null_lists_of_non_nulls_to_contain_null
                does_not_allow_invalid_types_to_be_used_as_values
                does_not_allow_unknown_types_to_be_used_as_values
            """,
            _DEEP: "execute_sync_returns_a_result_with_the_error graphql_sync_returns_a_result_with_the_error",
        },
    ),
    LeftOut(
        "nothing",
        "It passes; but it asks functions of graphql-core that coerce values, and executes nothing.",
        {
            _COERCION: """
                return_all_errors_by_default
                when_max_errors_is_equal_to_number_of_errors
                when_max_errors_is_less_than_number_of_errors
            """,
            "variables/get_variable_values_explicit_undefined_values": "treats_explicit_undefined_values_as_omitted",
            _DEEP: """
                get_variable_values_returns_an_error
                get_variable_values_keeps_previous_errors
                accepts_values_up_to_the_maximum_nesting_depth
                rejects_values_above_the_maximum_nesting_depth
                checks_list_values_and_single_values_of_list_types
                ignores_values_that_are_no_objects_for_input_object_types
                accepts_deep_values_of_custom_scalars
                does_not_keep_the_frames_of_the_recursion_alive
            """,
        },
    ),
)
