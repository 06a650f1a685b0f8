/* view_json.c - a sample as JSON, one line each. */
#include "view.h"
#include <jansson.h>

static json_t *
integer(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *
hex(uint64_t address)
{
	return json_sprintf("0x%llx", (unsigned long long)address);
}

static json_t *
pool_json(const struct pool *pool)
{
	json_t *object = json_object();
	char name[40];
	unsigned i;

	json_object_set_new(object, "name", json_string(pool->name));
	json_object_set_new(object, "address", hex(pool->address));
	json_object_set_new(object, "max",
			    pool->max != 0 ? integer(pool->max) : json_null());
	json_object_set_new(object, "destroyed", json_boolean(pool->closed));
	for (i = 0; i < NUMBERS; i++)
		json_object_set_new(object, sample_numbers[i],
				    integer(pool->number[i]));
	for (i = ALLOCS; i < NUMBERS; i++) {
		snprintf(name, sizeof name, "%s_per_second", sample_numbers[i]);
		if (pool->rate[i] >= 0)
			json_object_set_new(object, name,
					    json_real(pool->rate[i]));
	}
	return object;
}

static json_t *
queue_json(const struct queue *q)
{
	json_t *object = json_object();

	json_object_set_new(object, "address", hex(q->address));
	json_object_set_new(object, "length", integer(q->len));
	json_object_set_new(object, "capacity", integer(q->most));
	json_object_set_new(object, "closed", json_boolean(q->closed));
	json_object_set_new(object, "waits_to_pop", json_boolean(q->popper));
	json_object_set_new(object, "waits_to_push", json_boolean(q->pusher));
	if (q->push_rate >= 0) {
		json_object_set_new(object, "pushes_per_second",
				    json_real(q->push_rate));
		json_object_set_new(object, "pops_per_second",
				    json_real(q->pop_rate));
	}
	return object;
}

static json_t *
program_json(const struct program *program)
{
	json_t *object = json_object(), *pools = json_array();
	json_t *queues = json_array();
	size_t i;

	for (i = 0; i < program->pools_count; i++)
		json_array_append_new(pools, pool_json(&program->pools[i]));
	for (i = 0; i < program->queues_count; i++)
		json_array_append_new(queues, queue_json(&program->queues[i]));
	json_object_set_new(object, "pid", integer((uint64_t)program->pid));
	json_object_set_new(object, "command", json_string(program->command));
	json_object_set_new(object, "library",
			    json_sprintf("%u.%u.%u", program->library / 10000,
					 program->library / 100 % 100,
					 program->library % 100));
	json_object_set_new(object, "pools", pools);
	json_object_set_new(object, "queues", queues);
	if (program->trouble[0] != '\0')
		json_object_set_new(object, "trouble",
				    json_string(program->trouble));
	return object;
}

bool
view_json(const struct sample *s, FILE *to)
{
	json_t *all = json_object(), *programs = json_array();
	bool done;
	size_t i;

	for (i = 0; i < s->count; i++)
		json_array_append_new(programs, program_json(&s->programs[i]));
	json_object_set_new(all, "processes", programs);
	json_object_set_new(all, "unreadable", integer(s->refused));
	done = json_dumpf(all, to, JSON_REAL_PRECISION(6)) == 0;
	json_decref(all);
	fputc('\n', to);
	return done;
}
