/* 03_threads.cpp - messages of one pool are made in one thread, end in others. */
#include <atomic>
#include <ibuf/ibuf.hpp>
#include <iostream>
#include <thread>

constexpr std::uint32_t messages = 10000;

int
main()
{
	ibuf::pool_options options;

	options.name = "numbers";
	options.capacity = 64;
	/* At most so many messages; who wants one more waits. */
	options.max = 100;
	options.flags = IBUF_POOL_F_WAIT;

	ibuf::pool pool(options);
	ibuf::queue queue(32, ibuf::queue::single_producer);
	std::atomic<std::uint64_t> sum = 0;
	std::vector<std::thread> consumers;

	for (int i = 0; i < 4; i++)
		consumers.emplace_back([&] {
			std::error_code closed;

			/* Each message ends here, and goes back to the pool. */
			while (ibuf::message m = queue.pop_wait(closed))
				sum += *ibuf::get_be<std::uint32_t>(m, 0);
		});
	for (std::uint32_t i = 1; i <= messages; i++) {
		ibuf::message m = pool.alloc_wait();

		ibuf::append_be(m, i);
		queue.push_wait(std::move(m));
	}
	queue.close();
	for (std::thread &consumer : consumers)
		consumer.join();

	std::cout << "sum: " << sum << '\n'
		  << pool.destroy() << " messages left in pool\n";
}

/* Prints:
 * sum: 50005000
 * 0 messages left in pool
 */
